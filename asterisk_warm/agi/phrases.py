"""What an interview says of its own accord, as data: language → name → text. `{…}` are filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping

DEFAULT = "en"
"""Spoken where there are no phrases in the language asked for."""

PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "keys": "At any time, press star to hear a question again, to go back, or for help.",
        "welcome-back": "Welcome back. Let us go on where we stopped.",
        "choice": "Press {key} for {label}.",
        "yesno": "Press 1 for yes, 2 for no.",
        "number": "Key in the number, and then the pound key. For a decimal point, press star.",
        "date-dmy": "Key in two digits for the day, two for the month, and four for the year.",
        "date-mdy": "Key in two digits for the month, two for the day, and four for the year.",
        "date-ymd": "Key in four digits for the year, two for the month, and two for the day.",
        "phone": "Key in the number, and then the pound key.",
        "record": "Answer after the tone, and then press any key.",
        "entered": "You entered {words}. Press 1 if that is right, 2 to try again.",
        "not-a-choice": "That is none of the choices.",
        "not-a-number": "That number cannot be right.",
        "not-a-date": "That date cannot be right.",
        "not-a-phone": "That is no telephone number.",
        "not-heard": "Nothing was heard.",
        "no-answer": "There was no answer.",
        "not-taken": "That answer could not be taken down.",
        "between": "It must be from {least} to {most}.",
        "at-least": "It must be at least {least}.",
        "at-most": "It must be at most {most}.",
        "menu-repeat": "Press 1 to hear the question again.",
        "menu-back": "Press 2 to go back to the question before.",
        "menu-skip": "Press 3 to skip this question.",
        "menu-help": "Press 0 for help.",
        "no-help": "There is no help for this question.",
        "no-skip": "This question cannot be skipped.",
        "first": "This is the first question.",
        "left-out": "Let us leave that question out.",
        "given-up": "I am sorry, I could not understand you. Let us leave it at that.",
        "done": "Thank you. That was the last question.",
    },
    "es": {
        "keys": "En cualquier momento, pulse asterisco para repetir la pregunta, regresar o recibir ayuda.",
        "welcome-back": "Bienvenido de nuevo. Sigamos donde nos quedamos.",
        "choice": "Pulse {key} para {label}.",
        "yesno": "Pulse 1 para sí, 2 para no.",
        "number": "Marque el número y después la tecla numeral. Para la coma decimal, pulse asterisco.",
        "date-dmy": "Marque dos cifras para el día, dos para el mes y cuatro para el año.",
        "date-mdy": "Marque dos cifras para el mes, dos para el día y cuatro para el año.",
        "date-ymd": "Marque cuatro cifras para el año, dos para el mes y dos para el día.",
        "phone": "Marque el número y después la tecla numeral.",
        "record": "Responda después del tono, y después pulse cualquier tecla.",
        "entered": "Ha marcado {words}. Pulse 1 si es correcto, 2 para intentarlo de nuevo.",
        "not-a-choice": "Esa no es una de las opciones.",
        "not-a-number": "Ese número no puede ser correcto.",
        "not-a-date": "Esa fecha no puede ser correcta.",
        "not-a-phone": "Ese no es un número de teléfono.",
        "not-heard": "No se ha oído nada.",
        "no-answer": "No hubo respuesta.",
        "not-taken": "No se ha podido anotar esa respuesta.",
        "between": "Debe ser de {least} a {most}.",
        "at-least": "Debe ser al menos {least}.",
        "at-most": "Debe ser como máximo {most}.",
        "menu-repeat": "Pulse 1 para volver a oír la pregunta.",
        "menu-back": "Pulse 2 para regresar a la pregunta anterior.",
        "menu-skip": "Pulse 3 para saltar esta pregunta.",
        "menu-help": "Pulse 0 para recibir ayuda.",
        "no-help": "No hay ayuda para esta pregunta.",
        "no-skip": "Esta pregunta no se puede saltar.",
        "first": "Esta es la primera pregunta.",
        "left-out": "Dejemos esa pregunta.",
        "given-up": "Lo siento, no he podido entenderle. Dejémoslo aquí.",
        "done": "Gracias. Esa era la última pregunta.",
    },
}


_WORD = re.compile(r"\{(\w+)\}")


def base(language: str) -> str:
    """`es` of `es-MX`."""
    return language.lower().replace("_", "-").partition("-")[0]


def spoken_in(language: str) -> str:
    """The language of the phrases for someone addressed in that one."""
    return base(language) if base(language) in PHRASES else DEFAULT


def phrase(name: str, language: str, **words: str) -> str:
    """Raises KeyError for a phrase that there is not, and for a word that it needs."""
    # Not str.format: what is filled in may hold braces, and is never looked into.
    return _WORD.sub(lambda found: words[found[1]], PHRASES[spoken_in(language)][name])
