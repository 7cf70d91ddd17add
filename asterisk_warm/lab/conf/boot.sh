#!/bin/sh
# Becomes the Asterisk of a root folder. Runs in a mount namespace of its own: all that is mounted here
# vanishes with that one process, however it ends. The root itself is never written to.
# usage: boot.sh ROOT LAYERS VISIBLE... -- COMMAND...
set -eu
root=$1 layers=$2
shift 2
mkdir -p "$layers"
# Overlay wants an upper folder that is not itself on an overlay (as /tmp is in a container).
mount -t tmpfs -o size=64m lab "$layers" || echo "boot.sh: no tmpfs, the layers stay on disk" >&2
mkdir -p "$layers/upper" "$layers/work" "$layers/root"
mount -t overlay -o "lowerdir=$root,upperdir=$layers/upper,workdir=$layers/work" lab "$layers/root"
mount --rbind /dev "$layers/root/dev"
mount -t proc proc "$layers/root/proc"
while [ "$1" != "--" ]; do
    mkdir -p "$layers/root$1"
    mount --rbind "$1" "$layers/root$1"
    shift
done
shift
exec chroot "$layers/root" "$@"
