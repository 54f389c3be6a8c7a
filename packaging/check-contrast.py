#!/usr/bin/env python3
"""Reads the colour tokens of web/static/style.css and fails when people could not read or tell apart
what is drawn with them:

* text tokens below 4.5:1 on bg, surface, inset, hover and on their own weak fill (WCAG 2.2, 1.4.3);
* graphic tokens below 3:1 on bg, surface and inset (1.4.11);
* two series, or two state colours, closer than Delta E 9 (CIE76) for people with protanopia,
  deuteranopia or tritanopia (simulated as Machado, Oliveira and Fernandes 2009 do);
* a literal colour outside the token block, in CSS, JavaScript or HTML.

Usage: check-contrast.py [STATIC_FOLDER]"""
import pathlib
import re
import sys

SURFACES = ("bg", "surface", "inset")
TEXT = {"text": None, "text-2": None, "text-3": None, "accent": None, "act-text": "act-weak",
        "soon-text": "soon-weak", "watch-text": "watch-weak", "gain": "gain-weak"}
ON_FILL = (("accent-text", "accent"), ("text", "accent-weak"), ("text-2", "accent-weak"),
           ("accent-text", "data"), ("accent-text", "act"), ("text", "neutral-weak"))
GRAPHIC = ("line-strong", "focus", "act", "soon", "watch", "data", "neutral", "gain", "s1", "s2", "s3", "s4",
           "s5")
SERIES = ("s1", "s2", "s3", "s4", "s5")
STATES = ("act", "soon", "watch", "neutral")
MIN_DELTA = 9.0
# A favicon is shown by the browser outside the page, where no token reaches it.
EXEMPT = {"icon.svg"}
LITERAL = re.compile(r"#[0-9a-fA-F]{3,8}\b(?![-\w(])|\b(?:rgb|rgba|hsl|hsla|oklch|lab)\(")
NAMED = re.compile(r"(?:color|fill|stroke|background|border)[\w-]*['\"]?\s*[:=]\s*['\"]?"
                   r"(?:black|white|red|green|blue|gr[ae]y|orange|yellow|navy|silver)\b")


def blocks(css):
    m = re.search(r"/\* tokens: begin \*/(.*?)/\* tokens: end \*/", css, re.S)
    if not m:
        sys.exit("style.css: no token block")
    found = re.findall(r"([^{}]+)\{([^{}]*)\}", m.group(1))
    themes = {}
    for selector, body in found:
        name = "dark" if "dark" in selector else "light"
        themes[name] = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{6})\s*;", body))
    return themes, css[:m.start()] + "\n" * m.group(0).count("\n") + css[m.end():]


def rgb(text):
    return tuple(int(text[i:i + 2], 16) / 255 for i in (1, 3, 5))


def to_linear(c):
    return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4


def luminance(text):
    r, g, b = (to_linear(c) for c in rgb(text))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def ratio(a, b):
    hi, lo = sorted((luminance(a), luminance(b)), reverse=True)
    return (hi + 0.05) / (lo + 0.05)


# Linear RGB to what a dichromat sees, linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
BLIND = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
                   (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
                     (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
                   (0.004733, 0.691367, 0.303900)),
}


def seen(text, kind):
    lin = [to_linear(c) for c in rgb(text)]
    if kind is None:
        return lin
    return [min(1, max(0, sum(m * c for m, c in zip(row, lin)))) for row in BLIND[kind]]


def lab(lin):
    r, g, b = lin
    x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047
    y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b
    z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883

    def f(t):
        return t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116
    return 116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))


def delta(a, b, kind):
    return sum((p - q) ** 2 for p, q in zip(lab(seen(a, kind)), lab(seen(b, kind)))) ** 0.5


def check_theme(name, t, bad):
    pairs = [(fg, on, 4.5) for fg, weak in TEXT.items()
             for on in SURFACES + ("hover",) + ((weak,) if weak else ())]
    pairs += [(fg, on, 4.5) for fg, on in ON_FILL]
    pairs += [(fg, on, 3.0) for fg in GRAPHIC for on in SURFACES]
    low = {4.5: (99, ""), 3.0: (99, "")}
    for fg, on, least in pairs:
        if fg not in t or on not in t:
            bad.append(f"{name}: token --{fg if fg not in t else on} is missing")
            continue
        r = ratio(t[fg], t[on])
        low[least] = min(low[least], (r, f"{fg} on {on}"))
        if r < least:
            bad.append(f"{name}: --{fg} on --{on} is {r:.2f}:1, needs {least}:1")
    closest = (999, "")
    for group in (SERIES, STATES):
        for i, a in enumerate(group):
            for b in group[i + 1:]:
                for kind in BLIND:
                    d = delta(t[a], t[b], kind)
                    closest = min(closest, (d, f"{a} and {b}, {kind}"))
                    if d < MIN_DELTA:
                        bad.append(f"{name}: --{a} and --{b} are {d:.1f} apart for {kind}, need "
                                   f"{MIN_DELTA}")
    print(f"{name}: {len(pairs)} pairs; lowest text {low[4.5][0]:.2f} ({low[4.5][1]}), lowest graphic "
          f"{low[3.0][0]:.2f} ({low[3.0][1]}); closest {closest[0]:.1f} ({closest[1]})")


def check_literals(folder, rest, bad):
    for path in sorted(folder.iterdir()):
        if path.name in EXEMPT or path.suffix not in (".css", ".js", ".html", ".svg"):
            continue
        text = rest if path.name == "style.css" else path.read_text()
        for n, line in enumerate(text.split("\n"), 1):
            if LITERAL.search(line) or NAMED.search(line):
                bad.append(f"{path.name}:{n}: literal colour outside the tokens: {line.strip()[:80]}")


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "web" / "static"
    themes, rest = blocks((folder / "style.css").read_text())
    bad = []
    for name in ("light", "dark"):
        check_theme(name, themes.get(name, {}), bad)
    check_literals(folder, rest, bad)
    for line in bad:
        print("check-contrast:", line, file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
