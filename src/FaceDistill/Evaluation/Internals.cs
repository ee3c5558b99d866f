using System.Runtime.CompilerServices;

// The tests check the selection's vector paths one by one; the benchmark times the bare product of the same tiles.
[assembly: InternalsVisibleTo("FaceDistill.Tests")]
[assembly: InternalsVisibleTo("FaceDistill.Benchmarks")]
