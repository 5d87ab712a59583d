"""`make check-tamper`: whatever is changed in a log, somebody notices; what is honest alarms nobody."""
