'use strict';
(() => {
  const root = document.documentElement;
  const memory = {
    key: 'mcp-verdict-theme',
    read() { try { return localStorage.getItem(this.key); } catch { return null; } },
    write(value) { try { localStorage.setItem(this.key, value); } catch { /* the page works without */ } },
  };
  root.classList.add('js');
  const remembered = memory.read();
  if (remembered === 'dark' || remembered === 'light') root.dataset.theme = remembered;

  const byId = (id) => document.getElementById(id);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));

  function theme() {
    const button = byId('theme');
    const system = matchMedia('(prefers-color-scheme: dark)');
    const isDark = () => root.dataset.theme ? root.dataset.theme === 'dark' : system.matches;
    const label = () => { button.textContent = isDark() ? 'Light' : 'Dark'; };
    button.hidden = false;
    button.addEventListener('click', () => {
      root.dataset.theme = isDark() ? 'light' : 'dark';
      memory.write(root.dataset.theme);
      label();
    });
    system.addEventListener('change', label);
    label();
  }

  function copying() {
    const status = byId('status');
    document.addEventListener('click', async (event) => {
      const button = event.target.closest('button.copy');
      if (!button) return;
      const code = button.parentElement.querySelector('code');
      let done = true;
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        getSelection().selectAllChildren(code);
        done = document.execCommand('copy');
      }
      button.textContent = done ? 'Copied' : 'Press Ctrl+C';
      status.textContent = done ? 'The command is copied.' : 'The command is selected.';
      setTimeout(() => { button.textContent = 'Copy'; }, 1600);
    });
  }

  function filtering() {
    const form = byId('filters');
    const search = byId('search');
    const selects = ['area', 'revision', 'transport'].map(byId);
    const [area, revision, transport] = selects;
    const chips = all('.chip', form);
    const expand = byId('expand');
    const areas = all('section.area').map((element) => ({
      element,
      name: element.dataset.area,
      checks: all('details.check', element).map((check) => ({
        element: check,
        head: null,
        badge: check.querySelector('.badge'),
        strip: all('.strip i', check),
        shown: check.dataset.verdict,
        results: all('details.result', check).map((result) => ({ element: result, text: null })),
      })),
    }));
    const total = areas.flatMap((one) => one.checks).reduce((sum, one) => sum + one.results.length, 0);

    const signs = new Map(chips.map((chip) => [chip.dataset.verdict, chip.querySelector('.sign').textContent]));
    const fromBest = ['not-applicable', 'pass', 'inconclusive', 'warn', 'fail', 'error'];
    const worstOf = (results) => fromBest[Math.max(...results.map((one) => fromBest.indexOf(one.element.dataset.verdict)))];

    // A check's sign is that of the worst of its results that are shown.
    function sign(check, verdict) {
      if (check.shown === verdict) return;
      const { element, badge } = check;
      element.classList.replace(`v-${check.shown}`, `v-${verdict}`);
      element.classList.toggle('partly', verdict !== element.dataset.verdict);
      const words = verdict.replaceAll('-', ' ');
      badge.title = words;
      badge.children[0].textContent = signs.get(verdict);
      badge.children[1].textContent = words;
      check.shown = verdict;
    }

    const headOf = (check) => {
      check.head ??= check.element.querySelector('summary').textContent.toLowerCase() + ' '
        + all('.clauses', check.element).map((one) => one.textContent).join(' ').toLowerCase();
      return check.head;
    };
    const textOf = (result) => (result.text ??= result.element.textContent.toLowerCase());

    function apply() {
      const verdicts = new Set(chips.filter((chip) => chip.ariaPressed === 'true').map((chip) => chip.dataset.verdict));
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const one of areas) {
        let inArea = 0;
        for (const check of one.checks) {
          const fitting = [];
          const open = words.length === 0 ? [] : words.filter((word) => !headOf(check).includes(word));
          for (const [index, result] of check.results.entries()) {
            const data = result.element.dataset;
            const fits = (!area.value || area.value === one.name)
              && (!revision.value || revision.value === data.revision)
              && (!transport.value || transport.value === data.transport)
              && (verdicts.size === 0 || verdicts.has(data.verdict))
              && open.every((word) => textOf(result).includes(word));
            result.element.hidden = !fits;
            check.strip[index].classList.toggle('out', !fits);
            if (fits) fitting.push(result);
          }
          check.element.hidden = fitting.length === 0;
          if (fitting.length > 0) sign(check, worstOf(fitting));
          inArea += fitting.length;
        }
        one.element.hidden = inArea === 0;
        shown += inArea;
      }
      byId('shown').textContent = shown === total ? `${total} results` : `${shown} of ${total} results`;
      byId('nothing').hidden = shown > 0 || total === 0;
      expand.textContent = 'Open all';
    }

    let timer = 0;
    const later = () => { clearTimeout(timer); timer = setTimeout(apply, 90); };
    const clear = () => {
      search.value = '';
      for (const select of selects) select.value = '';
      for (const chip of chips) chip.ariaPressed = 'false';
    };

    form.hidden = false;
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('reset', (event) => { event.preventDefault(); clear(); apply(); });
    form.addEventListener('click', (event) => {
      const chip = event.target.closest('.chip');
      if (!chip) return;
      chip.ariaPressed = chip.ariaPressed === 'true' ? 'false' : 'true';
      apply();
    });
    search.addEventListener('input', later);
    for (const select of selects) select.addEventListener('change', apply);
    expand.addEventListener('click', () => {
      const isOpening = expand.textContent === 'Open all';
      for (const check of all('details.check:not([hidden])')) {
        check.open = isOpening;
      }
      expand.textContent = isOpening ? 'Close all' : 'Open all';
    });

    // Tiles and cells of the head lead to the list, filtered.
    document.addEventListener('click', (event) => {
      const link = event.target.closest('a.tile, a.cell');
      if (!link) return;
      clear();
      for (const chip of chips) {
        if (chip.dataset.verdict === link.dataset.verdict) chip.ariaPressed = 'true';
      }
      area.value = link.dataset.area ?? '';
      revision.value = link.dataset.revision ?? '';
      transport.value = link.dataset.transport ?? '';
      apply();
    });

    document.addEventListener('keydown', (event) => {
      const isTyping = event.target.closest('input, select, textarea');
      if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        form.scrollIntoView({ block: 'nearest' });
        search.focus();
        search.select();
      } else if (event.key === 'Escape' && event.target === search) {
        search.value = '';
        apply();
      }
    });

    apply();
    return { clear, apply };
  }

  // A link to a result opens it, with all that it is in.
  function follow(filters) {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && byId(id);
    if (!target || !target.matches('details.result')) return;
    if (target.hidden || target.closest('[hidden]')) {
      filters.clear();
      filters.apply();
    }
    for (let at = target; at; at = at.parentElement.closest('details')) at.open = true;
    target.scrollIntoView({ block: 'start' });
    target.querySelector('summary').focus({ preventScroll: true });
  }

  function printing() {
    let opened = [];
    addEventListener('beforeprint', () => {
      opened = all('details.check.v-fail, details.check.v-error, details.check.v-warn')
        .filter((check) => !check.open && !check.hidden);
      for (const check of opened) check.open = true;
    });
    addEventListener('afterprint', () => { for (const check of opened) check.open = false; });
  }

  document.addEventListener('DOMContentLoaded', () => {
    theme();
    copying();
    printing();
    const filters = filtering();
    addEventListener('hashchange', () => follow(filters));
    document.addEventListener('click', (event) => {
      const link = event.target.closest('.findings a');
      if (link && link.hash === location.hash) follow(filters);
    });
    // After the browser's own jump, which would take the focus back.
    addEventListener('load', () => setTimeout(() => follow(filters)));
  });
})();
