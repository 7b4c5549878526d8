"""The part that runs on CuPy's arrays: on a device, or on the stand-in for CuPy where there is none.

Prints JSON, for docs/capabilities/__main__.py.
"""

import json
from typing import Any

from arrayaudio.cuda import cuda_problem
from docs.capabilities.looking import cases_done, kernels_of
from docs.capabilities.rows import CALLS
from tests import stand_in
from tests.primitive_cases import CASES


def looked() -> dict[str, Any]:
    """The cases of primitives, and the primitives of calls, that kernels do."""
    if cuda_problem():
        stand_in.install()
    import cupy

    return {
        "primitives": {name: cases_done(name, cupy.asarray) for name in CASES},
        "calls": {case.transform: kernels_of(case, cupy.asarray) for case in CALLS},
    }


if __name__ == "__main__":
    print(json.dumps(looked()))
