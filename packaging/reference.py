#!/usr/bin/env python3
"""Writes docs/fettle.1 and docs/reference/cli.md from the program's own --help, so that they are true.

  reference.py FETTLE          writes both files
  reference.py FETTLE --check  fails when a committed file differs from what the program says"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXIT_CODES = (("0", "ok"), ("1", "failure"), ("2", "usage"), ("3", "not found"),
              ("4", "invalid data"), ("5", "refused"), ("6", "partial: some rows went to quarantine"),
              ("7", "unavailable"), ("130", "interrupted"))


def run(fettle, *words):
    return subprocess.run([fettle, *words], check=True, capture_output=True, text=True).stdout


def commands(fettle):
    """(words, summary) of every command; one that only lists its kinds is replaced by these."""
    found = []
    text = run(fettle, "--help")
    for name, summary in re.findall(r"^  (\S+)\s{2,}(.+)$", text.split("Commands:\n", 1)[1], re.M):
        help_text = run(fettle, name, "-h")
        if "\nFlags:\n" in help_text:
            found.append(((name,), summary))
        else:
            kinds = re.findall(r"^  (\S+)\s{2,}(.+)$", help_text.split("\nUsage: ", 1)[1], re.M)
            found += [((name, kind), what) for kind, what in kinds]
    return found


def sections(help_text):
    """Examples, synopsis, text and flags of one command's -h."""
    head, rest = help_text.split("\nUsage: ", 1)
    examples = [line[2:] for line in head.splitlines()[1:] if line.startswith("  ")]
    usage, flags = rest.split("\nFlags:\n", 1)
    synopsis, _, text = usage.partition("\n\n")
    flags = [(m[0].strip(), m[1].strip())
             for m in re.findall(r"^  (\S.{0,22}\S|\S)\s+(.*)$", flags.split("\n\nExit", 1)[0], re.M)]
    return examples, " ".join(synopsis.split()), text.strip(), flags


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def man_page(fettle, version):
    out = [f'.TH FETTLE 1 "" "fettle {version}" "User Commands"', ".SH NAME",
           "fettle \\- predictive maintenance on the plant's own computer", ".SH SYNOPSIS",
           ".B fettle", ".I command", "[\\fIflags\\fR]", ".SH DESCRIPTION",
           roff("Turns a plant's telemetry and failure history, kept in one SQLite file, into a costed "
                "maintenance plan. The database is --db FILE, else $FETTLE_DB, else ./fettle.db. Data "
                "goes to standard output, messages go to standard error."), ".SH COMMANDS"]
    for words, summary in commands(fettle):
        name = " ".join(words)
        examples, synopsis, text, flags = sections(run(fettle, *words, "-h"))
        out += [f".SS {roff(name)}", roff(summary[0].upper() + summary[1:] + "."), ".PP",
                f"\\fB{roff(synopsis)}\\fR"]
        if text:
            out += [".PP", roff(text)]
        for flag, meaning in flags:
            out += [".TP", f".B {roff(flag)}", roff(meaning)]
        out += [".PP", "Examples:", ".nf"] + [roff(e) for e in examples] + [".fi"]
    out.append(".SH EXIT STATUS")
    for code, meaning in EXIT_CODES:
        out += [".TP", f".B {code}", meaning]
    out += [".SH ENVIRONMENT", ".TP", ".B FETTLE_DB", "The database, when \\-\\-db is not given.",
            ".TP", ".B NO_COLOR", "No colour when set.", ".SH SEE ALSO",
            "The folder docs of the source has a tutorial, how\\-to guides and the API reference."]
    return "\n".join(out) + "\n"


def markdown(fettle):
    out = ["# Command line", "",
           "Made from `fettle --help` by `packaging/reference.py`. The database is `--db FILE`, else "
           "`$FETTLE_DB`, else `./fettle.db`. Data goes to standard output, messages go to standard "
           "error.", ""]
    for words, summary in commands(fettle):
        name = " ".join(words)
        examples, synopsis, text, flags = sections(run(fettle, *words, "-h"))
        out += [f"## fettle {name}", "", summary[0].upper() + summary[1:] + ".", "", "```"]
        out += examples + ["```", "", f"`{synopsis}`", ""]
        if text:
            out += [text, ""]
        out += ["| flag | meaning |", "|---|---|"]
        out += [f"| `{flag}` | {meaning.replace('|', chr(92) + '|')} |" for flag, meaning in flags]
        out.append("")
    out += ["## Exit codes", "", "| code | meaning |", "|---|---|"]
    out += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES]
    return "\n".join(out) + "\n"


def main():
    fettle = sys.argv[1]
    version = run(fettle, "version").split()[1]
    wanted = {ROOT / "docs/fettle.1": man_page(fettle, version),
              ROOT / "docs/reference/cli.md": markdown(fettle)}
    stale = [p for p, text in wanted.items() if not p.exists() or p.read_text() != text]
    if "--check" in sys.argv:
        for p in stale:
            print(f"{p.relative_to(ROOT)} is not what the program says: run packaging/reference.py")
        return 1 if stale else 0
    for p in stale:
        p.write_text(wanted[p])
        print("wrote", p.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
