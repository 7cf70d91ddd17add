"""Screens: what an agent's screen and other systems are told, before the phone rings and after."""
