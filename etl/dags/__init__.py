"""The DAGs for Apache Airflow. Put this folder on Airflow's DAG path, or link it from there."""
