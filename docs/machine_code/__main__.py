"""Count what frames cost and write docs/gpu.json and docs/gpu.md."""

import importlib.metadata
import json
import time
from pathlib import Path

from tests import stand_in

HERE = Path(__file__).parent.parent


def main() -> None:
    """Count, write, and say how long it took."""
    start = time.perf_counter()
    stand_in.install()  # before CuPy is imported
    import cupy

    from docs.machine_code.counts import CASES, SHARED_MEMORY, counted
    from docs.machine_code.page import rendered

    cupy.cuda.Device.shared_bytes = SHARED_MEMORY
    rows = []
    for case in CASES:
        counts, error = counted(case)
        rows.append({"case": list(case), "counts": counts, "error": error})
    data = {"nvrtc": importlib.metadata.version("nvidia-cuda-nvrtc"), "rows": rows}
    (HERE / "gpu.json").write_text(json.dumps(data, indent=1) + "\n")
    (HERE / "gpu.md").write_text(rendered(data))
    print(f"gpu.json and gpu.md written in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
