namespace DomainSsl.Audio.Spectrograms;

/// <summary>A picture of a whole sound: a byte for each column and band, 0 at −100 dB and 255 at full scale.</summary>
/// <param name="Bands">Bands a column, low to high; <see cref="MelFrames.Centres"/> tells their frequencies.</param>
/// <param name="SecondsPerColumn">Width of a column.</param>
/// <param name="Levels">Columns × <paramref name="Bands"/>, column by column.</param>
public sealed record SpectrogramOverview(int Bands, double SecondsPerColumn, byte[] Levels);

/// <summary>
/// Makes the spectrogram that a page shows, of 16 kHz mono given block by block: in full (50 columns a second, 64 bands, 3,200 bytes a second) into a stream from which a page takes the bytes of the stretch it
/// shows, and as an overview that never has more than <see cref="MaxColumns"/> columns, however long the sound.
/// </summary>
public sealed class SpectrogramMeter
{
    /// <summary>Bands a column.</summary>
    public const int Bands = 64;

    /// <summary>Columns a second in full.</summary>
    public const int ColumnsPerSecond = 50;

    /// <summary>Most columns of the overview.</summary>
    public const int MaxColumns = 4096;

    private const float FloorDb = -100;

    private readonly Stream? full;
    private readonly MelFrames mel;
    private readonly float[] column = new float[Bands];
    private readonly byte[] levels = new byte[Bands], overview = new byte[MaxColumns * Bands];
    private int framesInColumn, columns, each = 1, inEach;

    /// <summary>Begins; the full spectrogram is written to <paramref name="full"/>, if given.</summary>
    public SpectrogramMeter(Stream? full = null)
    {
        this.full = full;
        mel = new MelFrames(Bands, Frame);
    }

    /// <summary>Adds samples.</summary>
    public void Add(ReadOnlySpan<float> samples) => mel.Add(samples);

    /// <summary>Ends both.</summary>
    public SpectrogramOverview Finish()
    {
        mel.Finish();
        if (framesInColumn > 0) Column();
        if (inEach > 0) columns++;
        return new SpectrogramOverview(Bands, (double)each / ColumnsPerSecond, overview[..(columns * Bands)]);
    }

    // The louder of the frames, so that a click is seen at any zoom.
    private void Frame(ReadOnlySpan<float> power)
    {
        for (int b = 0; b < Bands; b++) column[b] = framesInColumn == 0 ? power[b] : Math.Max(column[b], power[b]);
        if (++framesInColumn == MelFrames.SampleRate / MelFrames.Hop / ColumnsPerSecond) Column();
    }

    private void Column()
    {
        for (int b = 0; b < Bands; b++) levels[b] = (byte)Math.Clamp((10 * MathF.Log10(column[b] + 1e-12f) - FloorDb) * (255 / -FloorDb) + 0.5f, 0, 255);
        framesInColumn = 0;
        full?.Write(levels);
        if (columns == MaxColumns) Halve();
        var into = overview.AsSpan(columns * Bands, Bands);
        for (int b = 0; b < Bands; b++) into[b] = inEach == 0 ? levels[b] : Math.Max(into[b], levels[b]);
        if (++inEach < each) return;
        inEach = 0;
        columns++;
    }

    private void Halve()
    {
        for (int i = 0; i < MaxColumns / 2; i++)
            for (int b = 0; b < Bands; b++) overview[i * Bands + b] = Math.Max(overview[2 * i * Bands + b], overview[(2 * i + 1) * Bands + b]);
        columns /= 2;
        each *= 2;
    }
}
