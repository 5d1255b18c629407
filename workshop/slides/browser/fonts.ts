// The deck brings its fonts, so that it looks the same on every machine, and no machine lacks a character.
import '@fontsource/dejavu-mono/400.css'
import '@fontsource/dejavu-mono/700.css'
import 'inter-ui/inter-variable.css'
