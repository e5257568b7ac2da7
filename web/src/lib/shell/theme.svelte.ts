type Theme = 'auto' | 'light' | 'dark'

const order: readonly Theme[] = ['auto', 'light', 'dark']

function chosen(): Theme {
  const set = document.documentElement.dataset['theme']
  return set === 'light' || set === 'dark' ? set : 'auto'
}

class ThemeChoice {
  current = $state<Theme>(chosen())

  /** auto → light → dark → auto; remembered by this browser (static/theme.js reads it before the first paint). */
  next(): void {
    const theme = order[(order.indexOf(this.current) + 1) % order.length] ?? 'auto'
    this.current = theme
    if (theme === 'auto') {
      delete document.documentElement.dataset['theme']
      localStorage.removeItem('theme')
    } else {
      document.documentElement.dataset['theme'] = theme
      localStorage.setItem('theme', theme)
    }
  }
}

export const theme = new ThemeChoice()
