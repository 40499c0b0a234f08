"""How a cell is read: by the words of the playbook, and by what all cells of its column show."""
