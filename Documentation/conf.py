# SPDX-License-Identifier: GPL-2.0
# sphinx-build -W Documentation out/doc
project = "ntdma"
root_doc = "index"
html_theme = "alabaster"
