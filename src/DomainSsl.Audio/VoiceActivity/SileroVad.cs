using Microsoft.ML.OnnxRuntime;

namespace DomainSsl.Audio.VoiceActivity;

/// <summary>
/// The Silero voice activity network, version 6 (Silero Team, "Silero VAD", 2024; MIT): the probability of speech for each 32 ms of 16 kHz mono. One network serves many
/// <see cref="Voices"/>, also at once.
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
    private const int Context = 64, StateSize = 128;

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

    /// <summary>So many new sounds, to be heard side by side: one run for several costs little more than for one.</summary>
    public Voices Listen(int sounds = 1) => new(this, sounds);

    /// <inheritdoc />
    public void Dispose()
    {
        session.Dispose();
        options.Dispose();
    }

    /// <summary>Sounds on their way through the network, a window of each at a time.</summary>
    public sealed class Voices : IDisposable
    {
        private readonly SileroVad network;
        private readonly float[] input, probabilities, state, next;
        private readonly OrtValue[] inputs, outputs;

        internal Voices(SileroVad network, int count)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
            (this.network, Count) = (network, count);
            (input, probabilities, state, next) = (new float[count * (Context + Window)], new float[count], new float[2 * count * StateSize], new float[2 * count * StateSize]);
            inputs =
            [
                OrtValue.CreateTensorValueFromMemory(input, [count, Context + Window]), OrtValue.CreateTensorValueFromMemory(state, [2, count, StateSize]),
                OrtValue.CreateTensorValueFromMemory((long[])[SampleRate], []),
            ];
            outputs = [OrtValue.CreateTensorValueFromMemory(probabilities, [count, 1]), OrtValue.CreateTensorValueFromMemory(next, [2, count, StateSize])];
        }

        /// <summary>How many sounds.</summary>
        public int Count { get; }

        /// <summary>The probabilities that the next window of each sound holds speech, 0 to 1; overwritten by the next call.</summary>
        /// <param name="windows"><see cref="Count"/> × <see cref="Window"/> samples, sound by sound.</param>
        public ReadOnlySpan<float> Next(ReadOnlySpan<float> windows)
        {
            if (windows.Length != Count * Window) throw new ArgumentException($"{Count} windows have {Count * Window} samples.", nameof(windows));
            for (int i = 0; i < Count; i++)
            {
                var one = input.AsSpan(i * (Context + Window), Context + Window);
                one[Window..].CopyTo(one);
                windows.Slice(i * Window, Window).CopyTo(one[Context..]);
            }
            network.session.Run(network.options, Inputs, inputs, Outputs, outputs);
            next.CopyTo(state, 0);
            return probabilities;
        }

        /// <summary>Forgets what was heard of one sound: its next window begins a new one.</summary>
        public void Reset(int sound)
        {
            input.AsSpan(sound * (Context + Window), Context + Window).Clear();
            for (int layer = 0; layer < 2; layer++) state.AsSpan((layer * Count + sound) * StateSize, StateSize).Clear();
        }

        /// <inheritdoc />
        public void Dispose()
        {
            foreach (var value in inputs) value.Dispose();
            foreach (var value in outputs) value.Dispose();
        }
    }
}
