#!/bin/bash
# load: loads the module in the guest.	load.sh [PARAMETER=VALUE]...
set -eu
cd "$(dirname "$0")/../.."
insmod "${UB_MODULE:-build/ub.ko}" "$@"
