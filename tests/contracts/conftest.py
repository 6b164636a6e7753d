import pytest

# The suites are modules of their own; without this, their failures would not show the values.
pytest.register_assert_rewrite("tests.contracts.store_contract", "tests.contracts.record_contract")
