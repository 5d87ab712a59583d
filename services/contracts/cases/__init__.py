"""What is said to `cases`: cases, entries, tasks, subjects, links. One module a topic."""
