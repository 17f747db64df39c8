"""Five providers' names over one kernel: change an import and keep the code.

``watchword.providers.agentwrit``, ``authgent``, ``authpi``, ``clawauth`` and ``paphwey`` have the names of the packages
that the providers publish or document; see ``docs/providers.md``. None is imported before it is asked for.
"""
