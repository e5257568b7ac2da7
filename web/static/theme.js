// Before the first paint: the theme that the reader chose, else the one of the system.
try {
  const theme = localStorage.getItem('theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch (error) {
  console.info('The theme is not remembered here:', error)
}
