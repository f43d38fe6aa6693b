namespace DomainSsl.Dicom;

/// <summary>One decoded frame: stored values, before any rescale, window, palette or colour transform.</summary>
/// <param name="Rows">Height.</param>
/// <param name="Columns">Width.</param>
/// <param name="Samples">Samples of a pixel, side by side in <paramref name="Values"/>.</param>
/// <param name="Photometric">What they mean: of a compressed frame, what the decoder gave.</param>
/// <param name="Values">Rows × columns × samples, rows from the top; unsigned 32-bit values keep their bits.</param>
public sealed record PixelFrame(int Rows, int Columns, int Samples, Photometric Photometric, int[] Values);
