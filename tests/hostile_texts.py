"""Texts that somebody may send to make something act, or break: what each ingress is tried with."""

from __future__ import annotations

from collections.abc import Iterator

TEXTS = {
    "double quotes": 'Ana "the" Fox\\',
    "single quotes": "Ana O'Hara'; DROP TABLE leads;--",
    "a shell command": "${SHELL(touch /tmp/warm-made)}",
    "an expression": "$[1+1] ${WARM_ID} ${ENV(HOME)}",
    "a header of the manager": "Ana\r\nAction: Originate\r\nChannel: PJSIP/ben",
    "a header of SIP": "Ana\r\nX-Evil: 1\r\n\r\nINVITE sip:x@y SIP/2.0",
    "a lone carriage return": "Ana\rX-Evil: 1",
    "a zero": "Ana\x00Fox",
    "terminal commands": "\x1b[31mred\x1b[0m \x9b2J\x07\x08",
    "commas": "Ana,mode=blind,ring=1,1(vip)",
    "options": "a&b|c;d^e",
    "devices": "PJSIP/ben&PJSIP/cleo",
    "a script": "<script>alert(1)</script>",
    "an end of XML": "]]></text></svg><image href=x onerror=alert(1)>&amp;&#0;",
    "right to left": "مرحبا \u202egnp.exe\u202c \u2066\u2069",
    "nothing that is seen": "An\u200ba\u200d\ufeff\u2060\u00ad\u034f",
    "lines of Unicode": "Ana\u2028X: 1\u2029Y: 2\x85Z",
    "emoji": "Ana 🔥🦊👩\u200d🚀🇪🇸",
    "a flood of marks": "Z" + "\u0301\u0323" * 2000,
    "64 kB": "Grant Weatherly of the long name " * 1986,
    "64 kB without a space": "x" * 65_536,
    "speech markup": '<speak><audio src="http://127.0.0.1/x"/>[Ana](/ɑnɑ/)<break time="9s"/>[[æ]]</speak>',
    "a shell": "; touch /tmp/warm-made & `touch /tmp/warm-made` $(touch /tmp/warm-made) | cat",
    "an option of a program": "-o/tmp/warm-made",
    "a file of text": "-f/etc/passwd",
    "a sound": "sound:/etc/passwd",
    "a recording": "recording:../../../etc/passwd",
    "a path": "../../../etc/passwd",
    "percent signs": "%24%7BSHELL(id)%7D%0d%0aX-Evil: 1 %s%n%00",
    "a template": "{name} {0.__class__} {{}} {",
    "YAML": "!!python/object/apply:os.system ['touch /tmp/warm-made']\n- &a *a",
    "a formula": "=cmd|' /C calc'!A0",
    "digits": "0" * 8 + "1" + "0" * 5000,
    "digits of other scripts": "\u0661\u0662\u0663 \u00b2\u00b3 \U0001d7d8 \u2460",
    "full-width": "＄｛SHELL（touch /tmp/warm-made）｝＜script＞",
    "no letters": "!!! ??? ...",
    "what is no character": "\ufffe\uffff\U0010ffff\ue000",
}
"""Each is text; `HALF` is what only JSON, YAML and the like can write."""

HALF = "Ana \ud83d and \udcff"
"""Halves of characters, which have no bytes."""

UNSEEN = "\u200b\u200d\ufeff\u2060\u00ad\ufffe\uffff\U0010ffff\ue000"
"""Of `TEXTS`: what is not seen and does nothing; an answer keeps it, because scripts and emoji need some of it."""

ACTING = frozenset('"\\<>{}[]$`;|&%\r\n\0')
"""What acts in a dialplan, wherever it puts a variable."""


def strings(document: object) -> Iterator[str]:
    """Every text in what was decoded from JSON, names too."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for name, value in document.items():
            yield name
            yield from strings(value)
    elif isinstance(document, list | tuple):
        for value in document:
            yield from strings(value)


def hidden(document: object, *, but: str = "") -> list[str]:
    """The texts in it that do something to a terminal, or to who reads them. `but`: what may be in them all the same."""
    return [text for text in strings(document) if not all(c.isprintable() or c in but for c in text)]
