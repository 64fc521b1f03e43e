"""The `gate` command: one file per verb, thin; `app` names the verbs and their options."""
