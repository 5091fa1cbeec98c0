"""The recovery key on paper."""

import html

from PySide6.QtGui import QTextDocument
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QWidget

from desktop.ui.i18n import translate


def recovery_page(key: str) -> QTextDocument:
    """Return the page with the key and what it is for, in the language of the window."""
    title = translate("Printing", "Vereda: clave de recuperación")
    says = translate(
        "Printing",
        "Abre los datos de este centro si se olvida la frase de paso. Guárdela fuera del equipo, "
        "bajo llave. Quien la tenga puede leerlo todo.",
    )
    page = QTextDocument()
    page.setHtml(
        f"<h2>{html.escape(title)}</h2><p>{html.escape(says)}</p>"
        f"<pre style='font-size:16pt'>{html.escape(key).replace('-', '-&#8203;')}</pre>"
    )
    return page


def print_recovery_key(parent: QWidget, key: str) -> None:
    """Ask for a printer and print the key. The printing system of the computer sees it."""
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    dialog = QPrintDialog(printer, parent)
    dialog.accepted.connect(lambda: recovery_page(key).print_(printer))
    dialog.setModal(True)
    dialog.show()
