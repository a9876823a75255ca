"""The DAGs of Apache Airflow. This folder can be put on Airflow's DAG path as it is, or linked from there."""
