"""`make FOLDER HEAD…`: MLflow's database at each of its own revisions, oldest first, as `FOLDER/HEAD/mlflow.db`.

`upgrade FOLDER HEAD…`: what `mlflow db upgrade` does, to each of them.
"""

import json
import pathlib
import shutil
import sys

import sqlalchemy
from alembic import command
from mlflow.store.db import utils
from mlflow.store.tracking.dbmodels.initial_models import Base

what, folder, *heads = sys.argv[1:]
folder = pathlib.Path(folder)


def config(file):
    return utils._get_alembic_config(f"sqlite:///{file}")


def make():
    file = folder / "growing.db"
    engine = sqlalchemy.create_engine(f"sqlite:///{file}")
    Base.metadata.create_all(engine)
    engine.dispose()
    for head in heads:
        command.upgrade(config(file), head)
        (folder / head).mkdir()
        shutil.copy(file, folder / head / "mlflow.db")


def upgrade():
    for head in heads:
        command.upgrade(config(folder / head / "mlflow.db"), "heads")


{"make": make, "upgrade": upgrade}[what]()
print(json.dumps(len(heads)))
