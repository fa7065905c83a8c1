"""A requestor of pynetdicom whose own thread leaves the answers to the caller who waits for them."""

import threading


class Checkpoint(threading.Event):
    """Cleared by a caller before it asks. From then on nothing is taken from the queue beside it, also not by who looked a
    moment before."""

    def __init__(self):
        super().__init__()
        self.guard = threading.Lock()
        self.set()

    def clear(self):
        with self.guard:
            super().clear()


def alone(association):
    """pynetdicom's thread says that it pauses before it does: now and then it takes the answer its caller waits for, logs it as
    unexpected, and the caller times out."""
    checkpoint = Checkpoint()
    take = association.dimse.get_msg

    def get_msg(block=False):
        if block:
            return take(block=True)
        with checkpoint.guard:
            return take(block=False) if checkpoint.is_set() else (None, None)

    association.dimse.get_msg = get_msg
    association._reactor_checkpoint = checkpoint
    return association
