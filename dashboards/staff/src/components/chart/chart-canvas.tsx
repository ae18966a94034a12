import { BarChart } from 'echarts/charts'
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from 'echarts/components'
import { type EChartsType, init, registerLocale, use } from 'echarts/core'
import langTR from 'echarts/i18n/langTR-obj.js'
import { SVGRenderer } from 'echarts/renderers'
import { type RefObject, useEffect, useImperativeHandle, useRef } from 'react'
import { useLanguage } from '../../i18n/language.js'
import type { ChartData } from './dataset.js'
import { chartOption } from './option.js'
import { save } from './save.js'

use([BarChart, AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, SVGRenderer])
registerLocale('TR', langTR)

export interface CanvasHandle {
  readonly saveImage: (title: string) => void
}

interface CanvasProps {
  readonly data: ChartData
  readonly height: number
  readonly format: (value: string) => string
  readonly handle: RefObject<CanvasHandle | null>
}

/** Colours are read when it is drawn: the parent draws it anew when the scheme changes. */
export function ChartCanvas({ data, height, format, handle }: CanvasProps) {
  const { language, f } = useLanguage()
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<EChartsType | null>(null)

  useEffect(() => {
    if (box.current === null) return
    const drawn = init(box.current, null, { renderer: 'svg', locale: language === 'tr' ? 'TR' : 'EN' })
    chart.current = drawn
    drawn.setOption(chartOption(data, { format, formatAxis: f.whole, color: readColors() }))
    const observer = new ResizeObserver(() => drawn.resize())
    observer.observe(box.current)
    return () => {
      observer.disconnect()
      drawn.dispose()
      chart.current = null
    }
  }, [data, format, language, f])

  useImperativeHandle(handle, () => ({
    saveImage: (title) => {
      if (chart.current !== null) savePng(chart.current, title)
    }
  }))
  return <div ref={box} style={{ height, width: '100%' }} role="img" aria-label={`${data.title}. ${data.summary}`} />
}

/** Colours follow the theme: what is drawn reads them from the page. */
function readColors(): (name: string) => string {
  const style = getComputedStyle(document.documentElement)
  return (name) => style.getPropertyValue(name).trim()
}

function savePng(chart: EChartsType, title: string) {
  const svg = chart.renderToSVGString()
  const image = new Image()
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }))
  image.onload = () => {
    const canvas = document.createElement('canvas')
    canvas.width = chart.getWidth() * 2
    canvas.height = chart.getHeight() * 2
    const context = canvas.getContext('2d')
    if (context === null) return
    context.scale(2, 2)
    context.drawImage(image, 0, 0)
    URL.revokeObjectURL(url)
    save(canvas.toDataURL('image/png'), `${title}.png`)
  }
  image.src = url
}
