"""Whether Ansible has a collection, so that one that lacks is one host's error and not the run's."""
from importlib.util import find_spec


def collection(name):
    try:
        return find_spec("ansible_collections." + name) is not None
    except ImportError:
        return False


class TestModule:
    def tests(self):
        return {"ringmaster_collection": collection}
