# SPDX-License-Identifier: MIT
$(eval $(call room,store))
