"""The parts of proxy.py."""
