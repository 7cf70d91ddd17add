"""The lab: a private Asterisk, scripted SIP phones, and what was said between them.

`asterisk-warm demo`, the real tests and the bench all stand on it. Nothing here touches the machine's own
Asterisk: own network, own mounts, own config folder, own ports.
"""

import os

# Numpy's own library has a thread for each processor, and all spin for a while after each sum: time that is
# taken from the phones. It looks once, when numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
