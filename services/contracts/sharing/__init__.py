"""What may be asked of `sharing`, a module for each topic.

`agencies`, `protocols`, `people`, `teams`, `clients`, `procedures`, `sessions`, `account`: who takes part and
who one is. `shares`, `directory`: who may see a case. Import from the topic's module.
"""
