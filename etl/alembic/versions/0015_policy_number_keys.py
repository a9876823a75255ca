"""policy number keys"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

#: One text for all spellings of a policy number, as `etl.models.policy_numbers.key_of` writes it.
KEY = (
    "regexp_replace(regexp_replace(upper(policy_number), '[^A-Z0-9]', '', 'g'), '(?<![0-9])0+(?=[0-9])', '', 'g')"
)


def upgrade() -> None:
    """Move forward."""
    op.create_index('ix_policies_policy_number_key', 'policies', [sa.text(KEY)], schema='public')


def downgrade() -> None:
    """Move back."""
    op.drop_index('ix_policies_policy_number_key', table_name='policies', schema='public')
