"""What the documents say is true: the command reference and man page are the program's own words, links
between documents lead somewhere, every command of README and tutorial exists."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

FETTLE = os.environ["FETTLE"]
ROOT = pathlib.Path(os.environ["FETTLE_ROOT"])
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "sample_data/README.md"])


def help_of(*words):
    return subprocess.run([FETTLE, *words, "-h"], capture_output=True, text=True, timeout=30)


class Docs(unittest.TestCase):
    def test_reference_is_what_the_program_says(self):
        done = subprocess.run([sys.executable, str(ROOT / "packaging/reference.py"), FETTLE, "--check"],
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_links_lead_somewhere(self):
        for page in PAGES:
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
                if not target.startswith("http"):
                    self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

    def test_commands_and_flags_exist(self):
        known = {}
        for page in PAGES:
            for block in re.findall(r"```\n(.*?)```", page.read_text(), re.S):
                for line in block.replace("\\\n", " ").splitlines():
                    m = re.match(r"(?:\$ )?\s*fettle ([a-z]+)(.*)", line)
                    if not m:
                        continue
                    name, rest = m.groups()
                    words = [name, *rest.split()[:1]] if name == "import" else [name]
                    name = " ".join(words)
                    if name not in known:
                        done = help_of(*words)
                        self.assertEqual(done.returncode, 0, f"{page.name}: fettle {name}")
                        known[name] = done.stdout
                    for flag in re.findall(r"(--[a-z-]+)", rest):
                        self.assertIn(flag, known[name], f"{page.name}: fettle {name} {flag}")

    def test_every_help_begins_with_examples(self):
        listing = subprocess.run([FETTLE, "--help"], capture_output=True, text=True, timeout=30)
        names = re.findall(r"^  (\S+)\s{2,}", listing.stdout.split("Commands:\n")[1], re.M)
        self.assertGreater(len(names), 15)
        for name in names:
            done = help_of(name)
            self.assertEqual(done.returncode, 0, name)
            self.assertTrue(done.stdout.startswith("Examples:\n  fettle " + name), name)
            self.assertEqual(done.stderr, "", name)

    def test_unknown_words_are_usage_errors(self):
        for words in (["trian"], ["predict", "--nonsense"], [], ["version", "extra"]):
            done = subprocess.run([FETTLE, *words], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 2, words)
            self.assertEqual(done.stdout, "", words)


if __name__ == "__main__":
    unittest.main()
