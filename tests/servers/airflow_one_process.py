"""Runs a DAG in one process with `dag.test()` and prints the result as JSON in the last line."""

import json
import sys

from airflow.dag_processing.dagbag import DagBag


def main(folder: str, dag_id: str, conf: str) -> None:
    """Run the DAG once."""
    bag = DagBag(folder)
    assert not bag.import_errors, bag.import_errors
    run = bag.dags[dag_id].test(run_conf=json.loads(conf))
    tasks = {f"{task.task_id}[{task.map_index}]": str(task.state) for task in run.get_task_instances()}
    sys.stdout.write("\n" + json.dumps({"state": str(run.state), "tasks": tasks}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
