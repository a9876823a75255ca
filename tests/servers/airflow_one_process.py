"""Runs a DAG in one process, as `dag.test()` does, and prints how it went as the last line: JSON."""

import json
import sys

from airflow.dag_processing.dagbag import DagBag


def main(folder: str, dag_id: str, conf: str) -> None:
    """Run the DAG once."""
    bag = DagBag(folder)
    assert not bag.import_errors, bag.import_errors
    run = bag.dags[dag_id].test(run_conf=json.loads(conf))
    tasks = {f"{one.task_id}[{one.map_index}]": str(one.state) for one in run.get_task_instances()}
    sys.stdout.write("\n" + json.dumps({"state": str(run.state), "tasks": tasks}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
