"""What other interpreters run is not collected by this one."""

collect_ignore = ["mlflow_writes.py", "phoenix_writes.py"]
