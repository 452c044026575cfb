// The parts of ECharts that the pages use; `mask pages bundle` makes echarts.page.min.js from it.
import * as core from "echarts/core";
import { LineChart, BarChart, ScatterChart, CustomChart } from "echarts/charts";
import { GridComponent, TooltipComponent, MarkLineComponent, MarkAreaComponent, DataZoomInsideComponent, AriaComponent } from "echarts/components";
import { LabelLayout } from "echarts/features";
import { SVGRenderer } from "echarts/renderers";
core.use([LabelLayout, LineChart, BarChart, ScatterChart, CustomChart, GridComponent, TooltipComponent, MarkLineComponent, MarkAreaComponent, DataZoomInsideComponent, AriaComponent, SVGRenderer]);
export { init, connect, getInstanceByDom, graphic } from "echarts/core";
