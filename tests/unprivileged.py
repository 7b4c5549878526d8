"""Processes that may not write where permissions say so, also when root runs the tests."""

import ctypes
import os
import sys

# From linux/prctl.h and linux/capability.h.
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


def bound_by_permissions() -> None:
    """Let the programs that this process starts write only where permissions let its user; for `preexec_fn`."""
    if sys.platform == "linux" and os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "the right to write everywhere cannot be given up")
