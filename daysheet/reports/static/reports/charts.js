// Draws the charts of reports from the figures in the page. The table below each says the same without script.
(() => {
  "use strict";

  const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
  const short = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", notation: "compact" });
  const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // Told apart by lightness too, not by hue alone.
  const colors = () => [theme("--color-secondary"), theme("--color-primary"), theme("--color-edge")];

  const draw = (canvas) => {
    const figures = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
    const ink = theme("--color-base-content");
    const rule = theme("--color-rule");
    return new Chart(canvas, {
      type: figures.type,
      data: {
        labels: figures.labels,
        datasets: figures.series.map((series, number) => ({
          label: series.label,
          data: series.cents.map((cents) => cents / 100),
          backgroundColor: colors()[number],
          maxBarThickness: 48,
        })),
      },
      options: {
        animation: false,
        maintainAspectRatio: false,
        plugins: {
          legend: { display: figures.series.length > 1, labels: { color: ink } },
          tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${dollars.format(item.parsed.y)}` } },
        },
        scales: {
          x: { ticks: { color: ink }, grid: { display: false }, border: { color: rule } },
          y: { beginAtZero: true, ticks: { color: ink, callback: (value) => short.format(value) }, grid: { color: rule } },
        },
      },
    });
  };

  const canvases = [...document.querySelectorAll("canvas[data-chart]")];
  let charts = canvases.map(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    charts.forEach((chart) => chart.destroy());
    charts = canvases.map(draw);
  });
})();
