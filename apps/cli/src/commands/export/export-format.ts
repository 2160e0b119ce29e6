/** What tables can be written as; their files' names end with it. */
export const EXPORT_FORMATS = ['csv', 'parquet'] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];
