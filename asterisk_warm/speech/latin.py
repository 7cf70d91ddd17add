"""Other alphabets in Latin letters, for an English voice: a name said roughly beats a name left out."""

from __future__ import annotations

import unicodedata

_CYRILLIC = (
    "а=a б=b в=v г=g д=d е=e ж=zh з=z и=i й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh ц=ts ч=ch ш=sh"
    " щ=shch ъ= ы=y ь= э=e ю=yu я=ya ё=yo і=i ї=yi є=ye ґ=g"
)
_GREEK = (
    "α=a β=v γ=g δ=d ε=e ζ=z η=i θ=th ι=i κ=k λ=l μ=m ν=n ξ=x ο=o π=p ρ=r σ=s ς=s τ=t υ=y φ=f χ=ch ψ=ps ω=o"
)
_LETTERS = dict(pair.split("=") for pair in f"{_CYRILLIC} {_GREEK}".split())


def in_latin(text: str) -> str:
    """`text` with Cyrillic and Greek letters transliterated and letters of further scripts left out."""
    return " ".join("".join(_latin(char) for char in text).split())


def _latin(char: str) -> str:
    if char.isascii() or not unicodedata.category(char).startswith(("L", "M")):
        return char
    if unicodedata.name(char, "").startswith("LATIN"):
        return char
    bare = unicodedata.normalize("NFD", char)[0]
    sound = _LETTERS.get(char.lower(), _LETTERS.get(bare.lower(), ""))
    return sound.capitalize() if char.isupper() else sound
