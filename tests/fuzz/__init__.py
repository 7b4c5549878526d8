"""What reads text and files of anyone, under inputs that search for code not yet reached.

    python -m tests.fuzz settings --seconds 60      one target, as long as that
    make fuzz                                       all of them, some seconds each

A target (`targets.py`) takes bytes, and may raise nothing but errors that are documented. What was once found, and
what reached something new, is kept in `corpus/`, a folder for each target; the tests run all of it again, without the
fuzzer.
"""
