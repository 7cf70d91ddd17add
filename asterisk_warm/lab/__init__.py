"""The lab: a private Asterisk, scripted SIP phones, and what was said between them.

`asterisk-warm demo`, the real tests and the bench all stand on it. Nothing here touches the machine's own
Asterisk: own network, own mounts, own config folder, own ports.
"""
