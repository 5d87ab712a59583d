"""Breaks the real parts under load, and checks from outside that nothing is lost, doubled or hangs.

`python -m tests.faults` (`make faults`). A trial is one fault: `workload.py` makes clients ask through the
gateway, a `Fault` breaks something and mends it, `effects.py` reads from the databases what took effect, and
`checker.py` judges the joined `history.py`. Before that `proofs.py` shows that the checker can fail: it must
find fault with a system whose safety is switched off. A new fault is an object in `kinds/` and a line in
`catalogue.py`.
"""
