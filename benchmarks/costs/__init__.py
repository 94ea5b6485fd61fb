# SPDX-License-Identifier: Apache-2.0
"""What the contracts cost: gas of whole transactions and bytes of code, with the page that shows both."""
