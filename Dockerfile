# Nothing else belongs here: the Runtime image installs packages.txt and requirements.txt by itself, copies the project to
# /usr/local/airflow, which is AIRFLOW_HOME and on PYTHONPATH (so `include` is importable), and puts plugins/ on sys.path
# in every component. 3.3-8 is Airflow 3.3; the number behind the hyphen is the Runtime's own patch, not Airflow's. Without
# a Python in its name the Runtime has 3.14, which pyproject.toml does not allow.
FROM astrocrpublic.azurecr.io/runtime:3.3-8-python-3.13
