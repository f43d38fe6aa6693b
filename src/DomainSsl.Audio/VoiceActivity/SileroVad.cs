using Microsoft.ML.OnnxRuntime;

namespace DomainSsl.Audio.VoiceActivity;

/// <summary>
/// The Silero voice activity network, version 6 (Silero Team, "Silero VAD", 2024; MIT): the probability of speech for each 32 ms of 16 kHz mono. One network serves many
/// <see cref="Voice"/>s, also at once.
/// </summary>
public sealed class SileroVad : IDisposable
{
    /// <summary>Samples a window.</summary>
    public const int Window = 512;

    /// <summary>Samples a second, Hz.</summary>
    public const int SampleRate = 16_000;

    /// <summary>SHA-256 of the model's file.</summary>
    public const string ModelSha256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3";

    // The network looks at the end of the window before; without it version 6 always answers 0.
    private const int Context = 64, StateSize = 2 * 128;

    private static readonly string[] Inputs = ["input", "state", "sr"], Outputs = ["output", "stateN"];
    private readonly InferenceSession session;
    private readonly RunOptions options = new();

    /// <summary>Loads the network, some 50 ms.</summary>
    public SileroVad()
    {
        // One thread: the network is too small to share out, and the other core has the decoder.
        using var settings = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL, GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL };
        session = new InferenceSession(Model(), settings);
    }

    /// <summary>The model's file, as it was embedded when the program was built.</summary>
    public static byte[] Model()
    {
        using var stream = typeof(SileroVad).Assembly.GetManifestResourceStream("silero_vad_v6.onnx")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>A new sound.</summary>
    public Voice Listen() => new(this);

    /// <inheritdoc />
    public void Dispose()
    {
        session.Dispose();
        options.Dispose();
    }

    /// <summary>One sound on its way through the network.</summary>
    public sealed class Voice : IDisposable
    {
        private readonly SileroVad network;
        private readonly float[] input = new float[Context + Window], probability = new float[1], state = new float[StateSize], next = new float[StateSize];
        private readonly OrtValue[] inputs, outputs;

        internal Voice(SileroVad network)
        {
            this.network = network;
            inputs =
            [
                OrtValue.CreateTensorValueFromMemory(input, [1, Context + Window]), OrtValue.CreateTensorValueFromMemory(state, [2, 1, 128]),
                OrtValue.CreateTensorValueFromMemory((long[])[SampleRate], []),
            ];
            outputs = [OrtValue.CreateTensorValueFromMemory(probability, [1, 1]), OrtValue.CreateTensorValueFromMemory(next, [2, 1, 128])];
        }

        /// <summary>The probability that the next <see cref="Window"/> samples hold speech, 0 to 1.</summary>
        public float Next(ReadOnlySpan<float> window)
        {
            if (window.Length != Window) throw new ArgumentException($"A window has {Window} samples.", nameof(window));
            input.AsSpan(Window).CopyTo(input);
            window.CopyTo(input.AsSpan(Context));
            network.session.Run(network.options, Inputs, inputs, Outputs, outputs);
            next.CopyTo(state, 0);
            return probability[0];
        }

        /// <inheritdoc />
        public void Dispose()
        {
            foreach (var value in inputs) value.Dispose();
            foreach (var value in outputs) value.Dispose();
        }
    }
}
