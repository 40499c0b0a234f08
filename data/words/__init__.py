"""The words of a playbook as checked, frozen values, and what is wrong with them, by file and line."""
