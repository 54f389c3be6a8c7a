/* Sets the theme before the first paint: a classic script in the head, so that no page flashes in the
 * wrong colours. The user's choice is "system", "light" or "dark" and is kept in this browser. Paper
 * is always light. */
(function () {
    'use strict';
    var root = document.documentElement;
    var dark = window.matchMedia('(prefers-color-scheme: dark)');
    var printing = false;

    function choice() {
        try {
            var kept = window.localStorage.getItem('fettle-theme');
            return kept === 'light' || kept === 'dark' ? kept : 'system';
        } catch (e) {
            return 'system'; /* storage is switched off */
        }
    }

    function apply() {
        var c = choice();
        var is_dark = !printing && (c === 'dark' || (c === 'system' && dark.matches));
        root.dataset.theme = is_dark ? 'dark' : 'light';
        root.dataset.themeChoice = c;
        window.dispatchEvent(new Event('fettle-theme'));
    }

    dark.addEventListener('change', apply);
    window.addEventListener('beforeprint', function () { printing = true; apply(); });
    window.addEventListener('afterprint', function () { printing = false; apply(); });
    window.fettleTheme = {
        choice: choice,
        set: function (c) {
            try {
                window.localStorage.setItem('fettle-theme', c);
            } catch (e) {
                root.dataset.theme = c;
            }
            apply();
        }
    };
    apply();
}());
