"""A session of Spark, and in one sentence what is missing where there can be none."""

import importlib.util
import os
import re
import shutil
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from data.memory_share import memory_bytes
from features.errors import EngineError

_CONNECT_PORT = 15_002
_ANSWER_WITHIN_S = 5.0
_STARTED_WITH = {
    "spark.cleaner.referenceTracking": "false",  # all is gone when the session ends; it complains when stopped
    "spark.driver.maxResultSize": "0",  # every score comes back
    "spark.ui.showConsoleProgress": "false",
}
_RAISED = re.compile(r"[A-Za-z_][\w.]*(Error|Exception): ")
_SETTINGS = {
    "spark.sql.caseSensitive": "true",  # attributes may differ in case alone
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.session.timeZone": "UTC",
}


@contextmanager
def spark_session(master: str) -> Iterator[Any]:
    """
    Open a session at a master of Spark, and close it in the end.

    Args:
        master: from `features.spark.engine`.

    Raises:
        EngineError: PySpark or Java is missing, or the master does not answer.
    """
    _require_programs(master)
    _require_answer(master)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # What the operator sets in the files of Spark goes before.
    os.environ.setdefault("SPARK_DRIVER_MEMORY", driver_memory())
    with warnings.catch_warnings():
        # What crosses to pandas here does so through Arrow.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        from py4j.protocol import Py4JError  # noqa: PLC0415 - only who uses Spark has it
        from pyspark.errors import PySparkException  # noqa: PLC0415

        try:
            session = _started(master)
            try:
                yield session
            finally:
                session.stop()
        except (PySparkException, Py4JError) as error:
            message = f"Spark at {master} could not do it: {_cause(error)}"
            raise EngineError(message) from error


def driver_memory() -> str:
    """Return what Spark's driver may take here, as much as an import may, in a unit that Java reads: ``4096m``."""
    return f"{memory_bytes() // 2**20}m"


def _started(master: str) -> Any:
    from pyspark.sql import SparkSession  # noqa: PLC0415 - only who uses Spark has it

    builder = SparkSession.builder.appName("leadscore")
    if _is_connect(master):
        session = builder.remote(master).getOrCreate()
    else:
        for name, value in _STARTED_WITH.items():
            builder = builder.config(name, value)
        session = builder.master(master).getOrCreate()
    for name, value in _SETTINGS.items():
        session.conf.set(name, value)
    return session


def _cause(error: Exception) -> str:
    r"""
    Return the line of a long message of Spark that says what went wrong: that of a worker's exception, or the first.

    >>> _cause(ValueError("Job aborted.\nTraceback (most recent call last):\n  File\nValueError: no such kind\n"))
    'ValueError: no such kind'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    raised = [line for line in lines if _RAISED.match(line)]
    return (raised or lines or [type(error).__name__])[0]


def _is_connect(master: str) -> bool:
    return master.startswith("sc://")


def _require_programs(master: str) -> None:
    needed = ["pyspark", *(["grpc"] if _is_connect(master) else [])]
    if not all(map(importlib.util.find_spec, needed)):
        message = f"the engine {master} needs PySpark, which is not installed: pip install 'leadscore[spark]'."
        raise EngineError(message)
    if not _is_connect(master) and not _has_java():
        message = f"the engine {master} needs Java 17 or newer, and none was found: install it, or set JAVA_HOME."
        raise EngineError(message)


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java" if not home else str(Path(home) / "bin" / "java")) is not None


def _require_answer(master: str) -> None:
    """Check that something listens at the master's address: Spark itself tries for a minute, and then says little."""
    if master.startswith("local"):
        return
    reasons = []
    for each in master.split(","):  # a cluster may have several masters
        place = urlsplit(each if "://" in each else f"spark://{each}")
        try:
            socket.create_connection((place.hostname, place.port or _CONNECT_PORT), _ANSWER_WITHIN_S).close()
        except OSError as error:
            reasons.append(error.strerror or str(error))
        else:
            return
    message = f"no master of Spark answers at {master} ({reasons[0]}): start it, or correct LEADSCORE_ENGINE."
    raise EngineError(message)
