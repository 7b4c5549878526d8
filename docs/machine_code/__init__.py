"""What the machine code of the GPU kernels needs for a frame, found by running it: `python -m docs.machine_code`."""
