using DomainSsl.Audio.Quality;

namespace DomainSsl.Core.Library;

/// <summary>A pseudonym. Who it is stays with the clinic: the name was never stored, and the pseudonym cannot be computed without the key.</summary>
public sealed class Patient
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>Keyed pseudonym, e.g. <c>P-7K3QX2MD</c>; also of a speaker.</summary>
    public required string Pseudonym { get; set; }
}

/// <summary>A DICOM study (PS3.3 C.7.2), de-identified.</summary>
public sealed class Study
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>Whose it is.</summary>
    public long PatientId { get; set; }
    /// <inheritdoc cref="PatientId" />
    public Patient? Patient { get; set; }
    /// <summary>The remapped Study Instance UID.</summary>
    public required string Uid { get; set; }
    /// <summary>Study date, shifted by the patient's offset.</summary>
    public DateOnly? Date { get; set; }
    /// <summary>Modality of its first series, e.g. CR, CT.</summary>
    public string Modality { get; set; } = "";
    /// <summary>Body part examined, where the file says so.</summary>
    public string BodyPart { get; set; } = "";
    /// <summary>Images in it; kept here so that the grid need not count.</summary>
    public int Images { get; set; }
    /// <summary>When its first image came in (UTC).</summary>
    public DateTime ImportedAt { get; set; }
    /// <summary>Its series.</summary>
    public List<Series> Series { get; } = [];
}

/// <summary>A DICOM series (PS3.3 C.7.3).</summary>
public sealed class Series
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>The study it belongs to.</summary>
    public long StudyId { get; set; }
    /// <inheritdoc cref="StudyId" />
    public Study? Study { get; set; }
    /// <summary>The remapped Series Instance UID.</summary>
    public required string Uid { get; set; }
    /// <summary>e.g. CR, CT.</summary>
    public string Modality { get; set; } = "";
    /// <summary>Series Number, for the order of display.</summary>
    public int Number { get; set; }
    /// <summary>Its images.</summary>
    public List<Instance> Instances { get; } = [];
}

/// <summary>A stored DICOM image (SOP instance): the de-identified file is the blob; its pixels are those that came in.</summary>
public sealed class Instance
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>The series it belongs to.</summary>
    public long SeriesId { get; set; }
    /// <inheritdoc cref="SeriesId" />
    public Series? Series { get; set; }
    /// <summary>The remapped SOP Instance UID; unique.</summary>
    public required string Uid { get; set; }
    /// <summary>SOP Class UID.</summary>
    public string SopClass { get; set; } = "";
    /// <summary>Instance Number, for the order of display.</summary>
    public int Number { get; set; }
    /// <summary>Height in pixels.</summary>
    public int Rows { get; set; }
    /// <summary>Width in pixels.</summary>
    public int Columns { get; set; }
    /// <summary>Number of frames, at least 1.</summary>
    public int Frames { get; set; } = 1;
    /// <summary>Transfer Syntax UID of the stored file.</summary>
    public string TransferSyntax { get; set; } = "";
    /// <summary>Photometric interpretation.</summary>
    public string Photometric { get; set; } = "";
    /// <summary>SHA-256 (hex) of the bytes as imported; unique. Labels in CSV files find their image by it.</summary>
    public required string SourceHash { get; set; }
    /// <summary>SHA-256 (hex) of the stored, de-identified file: its name among the blobs.</summary>
    public required string BlobHash { get; set; }
    /// <summary>SHA-256 of the untouched original, only where the administrator keeps originals.</summary>
    public string? OriginalBlobHash { get; set; }
    /// <summary>Length of the stored file.</summary>
    public long Bytes { get; set; }
}

/// <summary>An imported sound, stored at 16 kHz without its metadata, with what was measured and found in it at import.</summary>
public sealed class Recording
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>Who speaks, where the import said so: a pseudonym.</summary>
    public long? SpeakerId { get; set; }
    /// <inheritdoc cref="SpeakerId" />
    public Patient? Speaker { get; set; }
    /// <summary>SHA-256 (hex) of the bytes as imported; unique.</summary>
    public required string SourceHash { get; set; }
    /// <summary>SHA-256 (hex) of the stored sound.</summary>
    public required string BlobHash { get; set; }
    /// <summary>SHA-256 (hex) of the stored outline (JSON) that waveform and spectrogram are drawn from.</summary>
    public string? PeaksBlobHash { get; set; }
    /// <summary>SHA-256 (hex) of the spectrogram in full, see <see cref="DomainSsl.Audio.Spectrograms.SpectrogramMeter"/>; null for what was imported before there was one.</summary>
    public string? SpectrogramBlobHash { get; set; }
    /// <summary>SHA-256 of the untouched original, only where the administrator keeps originals.</summary>
    public string? OriginalBlobHash { get; set; }
    /// <summary>What it was: wav/pcm_s16le, aiff, …</summary>
    public string Codec { get; set; } = "";
    /// <summary>Sample rate as it came, Hz.</summary>
    public int SampleRate { get; set; }
    /// <summary>Channels as it came.</summary>
    public int Channels { get; set; }
    /// <summary>Channels as stored: 2 where they are two speakers, else 1.</summary>
    public int StoredChannels { get; set; } = 1;
    /// <summary>What became of the channels.</summary>
    public ChannelUse ChannelUse { get; set; }
    /// <summary>Length in seconds.</summary>
    public double Seconds { get; set; }
    /// <summary>What the checks found, a sentence a line, worst first; empty if nothing.</summary>
    public string Quality { get; set; } = "";
    /// <summary>Level, dB below full scale; this and the measures that follow as in <see cref="SoundQuality"/>, null for what was imported before they were kept.</summary>
    public double? RmsDb { get; set; }
    /// <summary>Largest magnitude, dB.</summary>
    public double? PeakDb { get; set; }
    /// <summary>Share of silence, 0 to 1.</summary>
    public double? SilentShare { get; set; }
    /// <summary>Share of samples that are cut off at the top, 0 to 1.</summary>
    public double? ClippedShare { get; set; }
    /// <summary>Mean of the samples, full scale 1.</summary>
    public double? DcOffset { get; set; }
    /// <summary>Estimated signal to noise, dB; null also where none can be told.</summary>
    public double? SnrDb { get; set; }
    /// <summary>The speech in it.</summary>
    public List<Segment> Segments { get; } = [];
    /// <summary>When it came in (UTC).</summary>
    public DateTime ImportedAt { get; set; }
    /// <summary>Length of the stored file.</summary>
    public long Bytes { get; set; }
}

/// <summary>A stretch of speech in a recording, found at import: at most 15 seconds, cut in pauses.</summary>
public sealed class Segment
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>The recording.</summary>
    public long RecordingId { get; set; }
    /// <summary>The stored channel that it is on, from 0.</summary>
    public int Channel { get; set; }
    /// <summary>Start within the recording, seconds.</summary>
    public double Start { get; set; }
    /// <summary>End within the recording, seconds.</summary>
    public double End { get; set; }
    /// <summary>Mean probability of speech in it, 0 to 1.</summary>
    public float Probability { get; set; }
}

/// <summary>What an item is.</summary>
public enum ItemKind
{
    /// <summary>An image: a frame of an instance.</summary>
    Image,
    /// <summary>A sound: a recording, or a stretch of one.</summary>
    Sound,
}

/// <summary>What is learnt from and judged: a frame of an instance or a segment of a recording.</summary>
public sealed class Item
{
    /// <summary>Row id; grows in the order of import.</summary>
    public long Id { get; set; }
    /// <summary>Image or sound.</summary>
    public ItemKind Kind { get; set; }
    /// <summary>The image's instance.</summary>
    public long? InstanceId { get; set; }
    /// <inheritdoc cref="InstanceId" />
    public Instance? Instance { get; set; }
    /// <summary>The frame of it, from 0.</summary>
    public int Frame { get; set; }
    /// <summary>The sound's recording.</summary>
    public long? RecordingId { get; set; }
    /// <inheritdoc cref="RecordingId" />
    public Recording? Recording { get; set; }
    /// <summary>Start within the recording, seconds.</summary>
    public double Start { get; set; }
    /// <summary>End within the recording, seconds.</summary>
    public double End { get; set; }
    /// <summary>The image's study; kept here so that a study, a collection and a filter meet in one step.</summary>
    public long? StudyId { get; set; }
    /// <inheritdoc cref="StudyId" />
    public Study? Study { get; set; }
    /// <summary>The patient or speaker: splits and intervals go by it. Null where unknown (then each item stands for itself).</summary>
    public long? PatientId { get; set; }
    /// <inheritdoc cref="PatientId" />
    public Patient? Patient { get; set; }
    /// <summary>Identity of the content: SHA-256 of stored file and frame or times; unique. Collection hashes are made of these.</summary>
    public required string Hash { get; set; }
    /// <summary>When it came in (UTC).</summary>
    public DateTime ImportedAt { get; set; }
}
