"""Print the house in numbers: ``python -m tests.house``."""

from tests.house.measures import summary

for name, figure in summary():
    print(f"{name:<50} {figure}")
